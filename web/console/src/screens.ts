// Every screen: where it is, what it is called, and the operation without which it is not shown.
import { Bell, Connection, Cpu, DataAnalysis, Document, DocumentChecked, Files, Histogram, Key, Odometer, OfficeBuilding, Operation as Sliders, Stamp, Tickets, User, UserFilled } from '@element-plus/icons-vue'
import type { Component } from 'vue'
import type { Operation } from './api/contract'
import type { Text } from './text/zh'

export interface Screen {
  path: string
  title: keyof Text['nav'] & string
  group: 'city' | 'own' | 'person'
  icon: Component
  needs: Operation
  load: () => Promise<unknown>
  hidden?: boolean // not in the navigation: reached from another screen
}

export const screens: Screen[] = [
  { path: '/overview', title: 'overview', group: 'city', icon: Odometer, needs: 'get /admin/v1/traffic/live', load: () => import('./screens/Overview.vue') },
  { path: '/services', title: 'services', group: 'city', icon: Sliders, needs: 'get /admin/v1/switches', load: () => import('./screens/Services.vue') },
  { path: '/switches', title: 'switches', group: 'city', icon: Tickets, needs: 'get /admin/v1/switches', load: () => import('./screens/Switches.vue') },
  { path: '/approvals', title: 'approvals', group: 'city', icon: Stamp, needs: 'get /admin/v1/proposals', load: () => import('./screens/Approvals.vue') },
  { path: '/departments', title: 'departments', group: 'city', icon: OfficeBuilding, needs: 'get /admin/v1/switches', load: () => import('./screens/Departments.vue') },
  { path: '/settings', title: 'settings', group: 'city', icon: Histogram, needs: 'get /admin/v1/settings', load: () => import('./screens/Settings.vue') },
  { path: '/gateways', title: 'gateways', group: 'city', icon: Cpu, needs: 'get /admin/v1/gateways', load: () => import('./screens/Gateways.vue') },
  { path: '/traffic', title: 'traffic', group: 'city', icon: DataAnalysis, needs: 'get /admin/v1/traffic', load: () => import('./screens/Traffic.vue') },
  { path: '/department/contracts', title: 'contracts', group: 'own', icon: Document, needs: 'get /department/v1/contracts', load: () => import('./screens/own/Contracts.vue') },
  { path: '/department/contracts/:sha256', title: 'contracts', group: 'own', icon: Document, needs: 'get /department/v1/contracts/{sha256}', load: () => import('./screens/own/Contract.vue'), hidden: true },
  { path: '/department/systems', title: 'systems', group: 'own', icon: Connection, needs: 'get /department/v1/systems', load: () => import('./screens/own/Systems.vue') },
  { path: '/department/services', title: 'register', group: 'own', icon: Files, needs: 'get /department/v1/services', load: () => import('./screens/own/Services.vue') },
  { path: '/department/services/:service', title: 'register', group: 'own', icon: Files, needs: 'get /department/v1/services/{service}', load: () => import('./screens/own/Service.vue'), hidden: true },
  { path: '/department/traffic', title: 'traffic', group: 'own', icon: DataAnalysis, needs: 'get /department/v1/traffic', load: () => import('./screens/Traffic.vue') },
  { path: '/department/clients', title: 'clients', group: 'own', icon: Key, needs: 'get /department/v1/clients', load: () => import('./screens/Clients.vue') },
  { path: '/department/webhooks', title: 'webhooks', group: 'own', icon: Bell, needs: 'get /department/v1/webhooks', load: () => import('./screens/own/Webhooks.vue') },
  { path: '/department/webhooks/:id', title: 'webhooks', group: 'own', icon: Bell, needs: 'get /department/v1/webhooks/{id}', load: () => import('./screens/own/Webhook.vue'), hidden: true },
  { path: '/department/colleagues', title: 'colleagues', group: 'own', icon: UserFilled, needs: 'get /department/v1/staff', load: () => import('./screens/own/Colleagues.vue') },
  { path: '/accounts', title: 'accounts', group: 'city', icon: UserFilled, needs: 'get /admin/v1/staff', load: () => import('./screens/Accounts.vue') },
  { path: '/audit', title: 'audit', group: 'city', icon: DocumentChecked, needs: 'get /admin/v1/audit', load: () => import('./screens/Audit.vue') },
  { path: '/me', title: 'me', group: 'person', icon: User, needs: 'get /admin/v1/session', load: () => import('./screens/Me.vue') },
]
