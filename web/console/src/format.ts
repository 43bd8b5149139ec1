// Numbers and times as people of the chosen language read them; the city's time is UTC+8 wherever the browser is.
import { language } from './preferences'

const locale = () => (language.value === 'zh' ? 'zh-CN' : 'en-GB')

export const number = (value: number | null | undefined) => (value === null || value === undefined ? '—' : new Intl.NumberFormat(locale()).format(value))

export const percent = (part: number, whole: number) =>
  whole ? new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 2 }).format(part / whole) : '—'

export const milliseconds = (seconds: number | null | undefined) => (seconds === null || seconds === undefined ? '—' : `${number(Math.round(seconds * 1000))} ms`)

/* A length of time in the unit that fits it. */
export function duration(ms: number): string {
  const [divisor, unit] = ms < 1000 ? ([1, 'millisecond'] as const) : ms < 120_000 ? ([1000, 'second'] as const) : ms < 7200_000 ? ([60_000, 'minute'] as const) : ([3600_000, 'hour'] as const)
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 0 }).format(ms / divisor)
}

const when = (options: Intl.DateTimeFormatOptions) => (value: string | number | null | undefined) =>
  value === null || value === undefined || value === '' ? '—' : new Intl.DateTimeFormat(locale(), { timeZone: 'Asia/Shanghai', hourCycle: 'h23', ...options }).format(new Date(value))

export const dateTime = when({ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' })
export const seconds = when({ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' })
export const clock = when({ hour: '2-digit', minute: '2-digit' })
export const day = when({ month: '2-digit', day: '2-digit' })
