// Logging in and out.
import { ref, shallowRef } from 'vue'
import { call } from './api/client'
import { readContract } from './api/contract'
import { Problem } from './api/problem'
import { session } from './session'
import { t } from './text'

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

/* ---- at the city's identity provider ---- */

export const providerOffered = ref(false)
export const providerProblem = shallowRef<Problem | null>(null)

export async function readProvider(): Promise<void> {
  providerOffered.value = (await call('get', '/admin/v1/oidc')).data.offered
}

export async function goToProvider(): Promise<void> {
  location.assign((await call('post', '/admin/v1/oidc/authorizations')).data.url)
}

/** Takes up what the provider sent the browser back with, if it did; the address keeps nothing of it. */
export async function returnFromProvider(): Promise<void> {
  const query = new URLSearchParams(location.search)
  const [state, code, error] = [query.get('state'), query.get('code'), query.get('error')]
  if (!state || !(code || error)) return
  history.replaceState(null, '', location.pathname + location.hash)
  try {
    if (!code) throw new Problem(422, error ?? '', t.value.login.providerRefused, query.get('error_description') ?? error ?? '')
    await call('post', '/admin/v1/oidc/sessions', { body: { state, code, cookie: true, ...(query.get('iss') ? { iss: query.get('iss') ?? '' } : {}) } })
  } catch (problem) {
    providerProblem.value = problem instanceof Problem ? problem : null
  }
}
