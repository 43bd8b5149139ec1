// Builds to dist/ with relative addresses, hashed names under assets/, and each file's .gz beside it.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const compress: Plugin = {
  name: 'compress',
  apply: 'build',
  closeBundle() {
    for (const entry of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
      if (!/\.(html|js|css|svg)$/.test(entry)) continue
      const bytes = readFileSync(join('dist', entry))
      if (bytes.length >= 1024) writeFileSync(join('dist', `${entry}.gz`), gzipSync(bytes, { level: 9 }))
    }
  },
}

export default defineConfig({
  base: './',
  plugins: [vue(), compress],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rollupOptions: { output: { manualChunks: { vue: ['vue', 'vue-router'], charts: ['echarts/core', 'echarts/charts', 'echarts/components', 'echarts/renderers'] } } },
  },
  server: { proxy: { '^/(admin|department|v1|openapi)': { target: process.env.SHIMIN_URL ?? 'https://localhost:8443', secure: false } } },
})
