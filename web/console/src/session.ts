// Who is logged in. The token is in an HttpOnly cookie that no script can read; what is held here dies with the page.
import { ref } from 'vue'
import type { components } from './api/schema'

export type Session = components['schemas']['StaffSession']

export const session = ref<Session | null>(null)
