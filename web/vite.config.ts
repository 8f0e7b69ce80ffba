import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = 'http://127.0.0.1:4747';

export default defineConfig({
  plugins: [react()],
  // Relative addresses: the page works wherever the server is mounted.
  base: './',
  build: { outDir: '../dist/web', emptyOutDir: true },
  server: { proxy: { '/api': server, '/problems': server } },
});
