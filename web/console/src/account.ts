// Logging in and out.
import { call } from './api/client'
import { readContract } from './api/contract'
import { session } from './session'

/** Takes up the session that the cookie names; leaves null when there is none. */
export async function refreshSession(): Promise<void> {
  const [answer] = await Promise.all([call('get', '/admin/v1/session'), readContract()])
  session.value = answer.data
}

export async function logIn(name: string, password: string, code: string): Promise<void> {
  await call('post', '/admin/v1/sessions', { body: { name, password, cookie: true, ...(code ? { code } : {}) } })
  await refreshSession()
}

export async function logOut(): Promise<void> {
  await call('delete', '/admin/v1/session').catch(() => undefined)
  session.value = null
}
