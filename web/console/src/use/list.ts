// A list that comes in pages. A new question makes the answers to older ones void.
import { ref, shallowRef } from 'vue'
import { Problem } from '../api/problem'

interface Page<T> {
  items: T[]
  next_cursor?: string | null
}

export function useList<T>(ask: (cursor?: string) => Promise<{ data: Page<T> }>) {
  const items = shallowRef<T[]>([])
  const next = ref<string | null>(null)
  const loading = ref(true)
  const problem = shallowRef<Problem | null>(null)
  let turn = 0

  async function load(cursor?: string): Promise<void> {
    const mine = ++turn
    loading.value = true
    try {
      const { data } = await ask(cursor)
      if (mine !== turn) return
      items.value = cursor ? [...items.value, ...data.items] : data.items
      next.value = data.next_cursor ?? null
      problem.value = null
    } catch (error) {
      if (mine === turn) problem.value = error instanceof Problem ? error : new Problem(0, 'script', String(error))
    } finally {
      if (mine === turn) loading.value = false
    }
  }
  const reload = () => load()
  const more = () => (next.value ? load(next.value) : Promise.resolve())
  return { items, next, loading, problem, reload, more }
}
