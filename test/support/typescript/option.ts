/** The option with which a process runs TypeScript. */
export const runTypeScript = `--import=${new URL('register.js', import.meta.url).href}`
