// Faults of an answer, each shown at the field that its pointer leads to; what no field owns is left to the problem itself.
import { computed, inject, onBeforeUnmount, provide, reactive, type InjectionKey, type Ref } from 'vue'
import { Problem, type Fault } from '../api/problem'

interface Faults {
  at: (pointer: string) => string
  own: (pointer: string) => () => void
}
const key: InjectionKey<Faults> = Symbol('faults')
const plain = (fault: Fault) => (fault.pointer?.startsWith('#') ? decodeURIComponent(fault.pointer.slice(1)) : (fault.pointer ?? ''))

export function provideFaults(problem: Ref<Problem | null>) {
  const owned = reactive(new Map<string, number>())
  const owner = (pointer: string) => {
    for (let at = pointer; at; at = at.slice(0, at.lastIndexOf('/'))) if (owned.has(at)) return at
    return ''
  }
  const faults = computed(() => (problem.value?.errors ?? []).map((fault) => ({ fault, owner: owner(plain(fault)), pointer: plain(fault) })))
  provide(key, {
    at: (pointer) => faults.value.filter((one) => one.owner === pointer).map((one) => (one.pointer === pointer ? '' : `${one.pointer.slice(pointer.length)} `) + one.fault.detail).join('; '),
    own: (pointer) => {
      owned.set(pointer, (owned.get(pointer) ?? 0) + 1)
      return () => {
        const left = (owned.get(pointer) ?? 1) - 1
        if (left) owned.set(pointer, left)
        else owned.delete(pointer)
      }
    },
  })
  /** The problem with the faults that no field shows. */
  const rest = computed(() => {
    const p = problem.value
    return p && new Problem(p.status, p.code, p.title, p.detail, faults.value.filter((one) => !one.owner).map((one) => one.fault), p.trace, p.retryAfter)
  })
  return { rest }
}

export function useFault(pointer: string) {
  const faults = inject(key, null)
  if (faults) onBeforeUnmount(faults.own(pointer))
  return computed(() => faults?.at(pointer) ?? '')
}
