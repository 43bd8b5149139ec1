// Addresses lie behind '#': the gateway serves one page, and what is looked at stays out of its logs.
import { createRouter, createWebHashHistory } from 'vue-router'
import { may } from './api/contract'
import { screens, type Screen } from './screens'

export const mine = (): Screen[] => screens.filter((screen) => may(screen.needs))

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    ...screens.map((screen) => ({ path: screen.path, component: screen.load as () => Promise<never>, meta: { screen } })),
    { path: '/:rest(.*)*', redirect: () => mine().find((screen) => !screen.hidden)?.path ?? '/me' },
  ],
})
