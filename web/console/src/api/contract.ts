// What this gateway offers and to whom, read from its own contract: screens and buttons that it does not have are not shown.
import { shallowRef } from 'vue'
import { session } from '../session'
import type { Method } from './client'
import type { paths } from './schema'

type Way = Record<string, string[]>
interface Contract {
  security?: Way[]
  paths: Record<string, Partial<Record<Method, { security?: Way[] }>>>
}
export type Operation = `${Method} ${keyof paths & string}`

const contract = shallowRef<Contract | null>(null)

export async function readContract(): Promise<void> {
  contract.value ??= (await (await fetch('/openapi.json')).json()) as Contract
}

/** Whether the gateway has the operation and one of my roles may call it. */
export function may(operation: Operation): boolean {
  const [method, path] = operation.split(' ') as [Method, string]
  const found = contract.value?.paths[path]?.[method]
  const ways = found?.security ?? contract.value?.security ?? []
  const roles: string[] = session.value?.roles ?? []
  return !!found && ways.some(({ staff }) => staff && (staff.length === 0 ? roles.length > 0 : staff.every((role) => roles.includes(role))))
}
