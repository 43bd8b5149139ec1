// A setting's value in words.
import { number } from './format'
import { fill, t } from './text'

interface Values {
  ratio?: number
  minimum?: number
  fresh?: number
  stale?: number
  requests?: number
  window?: number
}

export function valueText(value: unknown): string {
  const { settings } = t.value
  if (value === null || value === undefined) return settings.back
  if (typeof value !== 'object') return number(value as number)
  const v = value as Values
  if (v.ratio !== undefined) return fill(settings.breaks, `${Math.round(v.ratio * 100)}%`, number(v.minimum))
  if (v.fresh !== undefined) return fill(settings.keeps, number(v.fresh), number(v.stale))
  return fill(settings.per, number(v.requests), number(v.window))
}
