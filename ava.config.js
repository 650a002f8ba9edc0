export default {
  files: ['test/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=./test/support/typescript/register.js'],
  timeout: '240s',
  workerThreads: false,
  // Much of the suite waits: for servers, timeouts and other processes.
  concurrency: 5
}
