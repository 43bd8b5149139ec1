// Language and theme: the browser's, or what was chosen here. Nothing else is kept in the browser.
import { ref, watchEffect } from 'vue'

export type Language = 'zh' | 'en'
export type Theme = 'light' | 'dark'

function kept<T extends string>(name: string, values: readonly T[], otherwise: T): T {
  const value = localStorage.getItem(`shimin.${name}`) as T | null
  return value && values.includes(value) ? value : otherwise
}

const dark = matchMedia('(prefers-color-scheme: dark)')
export const language = ref<Language>(kept('language', ['zh', 'en'], navigator.language.startsWith('zh') ? 'zh' : 'en'))
export const theme = ref<Theme>(kept('theme', ['light', 'dark'], dark.matches ? 'dark' : 'light'))

export function chooseLanguage(value: Language): void {
  language.value = value
  localStorage.setItem('shimin.language', value)
}

export function chooseTheme(value: Theme): void {
  theme.value = value
  localStorage.setItem('shimin.theme', value)
}

watchEffect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  document.documentElement.classList.toggle('dark', theme.value === 'dark')
})
