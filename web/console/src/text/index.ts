// The words of the chosen language: `t` in templates, `t.value` in scripts.
import { computed } from 'vue'
import { language } from '../preferences'
import { en } from './en'
import { zh } from './zh'

export const t = computed(() => (language.value === 'zh' ? zh : en))

/** A text in two languages, as the API gives it. */
export const say = (text: { zh?: string; en?: string } | null | undefined) => (language.value === 'zh' ? text?.zh || text?.en : text?.en || text?.zh) ?? ''

/** {0}, {1} … filled in. */
export const fill = (text: string, ...values: (string | number)[]) => text.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)] ?? ''))
