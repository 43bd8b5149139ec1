// The catalogue's departments and categories, read once; the whole list of services when somebody needs to choose.
import { shallowRef } from 'vue'
import { call, type components } from './api/client'

export type Service = components['schemas']['Service']
export type Department = components['schemas']['Department']
export interface Category {
  slug: string
  name: { zh: string; en: string }
}

export const departments = shallowRef<Department[]>([])
export const categories = shallowRef<Category[]>([])

export async function readCatalogue(): Promise<void> {
  if (departments.value.length) return
  const [some, others] = await Promise.all([call('get', '/v1/departments'), call('get', '/v1/categories')])
  departments.value = some.data.items
  categories.value = others.data.items
}

export const departmentName = (slug: string | null | undefined) => departments.value.find((one) => one.slug === slug)?.name
export const findServices = async (text: string) => (await call('get', '/v1/services', { query: { text: text || undefined, limit: 50 } })).data.items
