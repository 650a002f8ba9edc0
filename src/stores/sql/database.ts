import { setTimeout as delay } from 'node:timers/promises'
import type { Dialect } from './dialects.js'
import { connectionError, isMissingTable, isTransient, lateError, noAnswer, noConnection, statementError, type LateCode } from './failures.js'
import type { Binding, KnexInstance } from './knex.js'

/** The longest pause before a statement is tried again, in milliseconds. */
const longestPause = 50

/** The part of the remaining time after which a statement is cancelled. The rest is for the cancellation, which takes a connection of its own. */
const cancelAfter = 0.75

/** Runs single statements, each on a connection of the pool and outside any transaction. */
export class Database {
  readonly dialect: Dialect
  readonly #knex: KnexInstance
  readonly #timeout: number
  readonly #createTable: (() => Promise<void>) | undefined

  /**
   * @param timeout how long a statement may take, including the wait for a connection, in milliseconds.
   * @param createTable called when a statement finds no table. Absent: the statement fails.
   */
  constructor(knex: KnexInstance, dialect: Dialect, timeout: number, createTable?: () => Promise<void>) {
    this.dialect = dialect
    this.#knex = knex
    this.#timeout = timeout
    this.#createTable = createTable
  }

  /** @throws DatabaseError */
  async run(sql: string, bindings: readonly Binding[] = [], timeout = this.#timeout): Promise<unknown> {
    try {
      return await this.#runUntilDone(sql, bindings, timeout)
    } catch (error) {
      if (!this.#createTable || !isMissingTable(error)) throw error
      await this.#createTable()
      return this.#runUntilDone(sql, bindings, timeout)
    }
  }

  /** Runs a statement, and runs it again as long as the database rolls it back because of other transactions. */
  async #runUntilDone(sql: string, bindings: readonly Binding[], timeout: number): Promise<unknown> {
    const end = performance.now() + timeout
    for (let tries = 0; ; tries++) {
      try {
        return await this.#query(await this.#connect(end), sql, bindings, end)
      } catch (error) {
        const pause = Math.random() * Math.min(2 ** tries, longestPause)
        if (!isTransient(error) || performance.now() + pause >= end) throw error
        await delay(pause)
      }
    }
  }

  async #connect(end: number): Promise<unknown> {
    const { client } = this.#knex
    const connecting = client.acquireConnection()
    try {
      return await inTime(connecting, end, noConnection)
    } catch (error) {
      // The pool may still provide the connection, for which nobody waits any more.
      void connecting.then((connection) => client.releaseConnection(connection)).catch(() => undefined)
      throw connectionError(error)
    }
  }

  async #query(connection: unknown, sql: string, bindings: readonly Binding[], end: number): Promise<unknown> {
    const query = this.#knex.raw(sql, bindings).connection(connection)
    const answer = Promise.resolve(this.dialect.cancels ? query.timeout(Math.ceil(timeUntil(end) * cancelAfter), { cancel: true }) : query)
    const release = () => this.#knex.client.releaseConnection(connection)
    // Release the connection when the query has ended, even if the caller's time is over before.
    answer.then(release, release).catch(() => undefined)
    try {
      return await inTime(answer, end, noAnswer)
    } catch (error) {
      throw statementError(error)
    }
  }
}

/** Waits for an answer until `end`. Rejects with the error of the code afterwards. */
function inTime<T>(answer: Promise<T>, end: number, code: LateCode): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(lateError(code)), timeUntil(end))
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** The milliseconds until `end`, at least 1, because Knex takes a timeout of 0 for none. */
function timeUntil(end: number): number {
  return Math.max(1, Math.ceil(end - performance.now()))
}
