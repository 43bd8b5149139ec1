// Doing one thing at a time: busy while it runs, and the problem it ended in.
import { ref, shallowRef } from 'vue'
import { Problem } from '../api/problem'

export function useAction() {
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)
  async function run(act: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = null
    try {
      await act()
      return true
    } catch (error) {
      problem.value = error instanceof Problem ? error : new Problem(0, 'script', String(error))
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, problem, run }
}
