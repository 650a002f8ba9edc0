import type { RedisCommands, ScriptConnection } from './commands.js'

/** Sends a command. It may wait before it does, and may limit the time until the answer. */
export type Send = <T>(command: () => Promise<T>) => Promise<T>

/** Wraps commands so that `send` sends each of them. */
export class WrappedCommands implements RedisCommands {
  readonly #redis: RedisCommands
  readonly #send: Send

  constructor(redis: RedisCommands, send: Send) {
    this.#redis = redis
    this.#send = send
  }

  get keyPrefix(): string {
    return this.#redis.keyPrefix
  }

  get sendsOnce(): boolean {
    return this.#redis.sendsOnce
  }

  get(key: string): Promise<string | undefined> {
    return this.#send(() => this.#redis.get(key))
  }

  setNew(key: string, text: string, ttl: number): Promise<boolean> {
    return this.#send(() => this.#redis.setNew(key, text, ttl))
  }

  evalSha(sha: string, key: string, args: string[]): Promise<unknown> {
    return this.#send(() => this.#redis.evalSha(sha, key, args))
  }

  eval(script: string, key: string, args: string[]): Promise<unknown> {
    return this.#send(() => this.#redis.eval(script, key, args))
  }

  onConnection<T>(key: string, work: (connection: ScriptConnection) => Promise<T>): Promise<T> {
    return this.#send(() => this.#redis.onConnection(key, work))
  }

  async *scan(pattern: string): AsyncGenerator<string[]> {
    const pages = this.#redis.scan(pattern)[Symbol.asyncIterator]()
    for (;;) {
      const page = await this.#send(() => pages.next())
      if (page.done) return
      yield page.value
    }
  }

  evictionPolicy(): Promise<string> {
    return this.#send(() => this.#redis.evictionPolicy())
  }
}
