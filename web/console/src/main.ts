import { createApp } from 'vue'
import { refreshSession, returnFromProvider } from './account'
import { readContract } from './api/contract'
import App from './App.vue'
import { useElements } from './elements'
import { router } from './router'
import './style.css'

const app = createApp(App)
useElements(app)
await returnFromProvider()
await Promise.all([refreshSession().catch(() => undefined), readContract().catch(() => undefined)])
app.use(router).mount('#app')
