import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Beside each file its compressed form, which the server sends as it is. The files lie flat in
// one folder, because that is how they are embedded.
const compress = {
  name: "compress",
  closeBundle() {
    for (const name of readdirSync("dist").filter((it) => /\.(js|css|html|svg|txt)$/.test(it))) {
      const path = join("dist", name);
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
    }
  },
};

/** Whose requests are passed on as its own: a server takes none of another page's. */
const server = process.env.WF_HOST_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  plugins: [react(), compress],
  build: {
    chunkSizeWarningLimit: 2000,
    rollupOptions: {
      output: { entryFileNames: "[name]-[hash].js", chunkFileNames: "[name]-[hash].js", assetFileNames: "[name]-[hash][extname]" },
    },
  },
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === "html" ? `ui/${name}` : { relative: true }),
  },
  server: { proxy: Object.fromEntries(["/api", "/workflows", "/handlers", "/events", "/results", "/health"].map((it) => [it, { target: server, headers: { origin: server }, changeOrigin: true }])) },
  test: { include: ["tests/model/**/*.test.ts"] },
});
