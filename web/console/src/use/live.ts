// Server-sent events while a screen is shown, and things that are asked again and again.
import { onBeforeUnmount, onMounted, ref } from 'vue'
import { refreshSession } from '../account'

export function useEvents<T>(url: string, event: string, take: (value: T) => void) {
  const connected = ref(false)
  let source: EventSource | undefined
  let again: ReturnType<typeof setTimeout> | undefined

  function open(): void {
    source = new EventSource(url)
    source.onopen = () => (connected.value = true)
    source.onerror = () => {
      connected.value = false
      if (source?.readyState !== EventSource.CLOSED) return // the browser comes again by itself
      refreshSession().catch(() => undefined)
      again = setTimeout(open, 5000)
    }
    source.addEventListener(event, (message) => {
      connected.value = true
      take(JSON.parse((message as MessageEvent<string>).data) as T)
    })
  }
  onMounted(open)
  onBeforeUnmount(() => {
    clearTimeout(again)
    source?.close()
  })
  return { connected }
}

/** Now, and every so many milliseconds while the page is looked at. */
export function useRepeat(act: () => unknown, milliseconds: number): void {
  let timer: ReturnType<typeof setInterval> | undefined
  onMounted(() => {
    act()
    timer = setInterval(() => {
      if (!document.hidden) act()
    }, milliseconds)
  })
  onBeforeUnmount(() => clearInterval(timer))
}
