// Types of the neighbours that ship none, as far as the tests and the guides use them.

declare module 'koa-passport' {
  import type { Context, Middleware } from 'koa'
  import type { Strategy } from 'passport'

  interface Options {
    readonly session?: boolean
    readonly keepSessionInfo?: boolean
  }
  type Verified = (error: unknown, user: Express.User | false | undefined) => unknown

  /** Passport with middleware of Koa. */
  class KoaPassport {
    use(strategy: Strategy): this
    // As in the types of Passport itself.
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
    serializeUser<User>(fn: (user: User, done: (error: unknown, id?: string) => void) => void): void
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
    deserializeUser<User>(fn: (id: string, done: (error: unknown, user?: User | false) => void) => void): void
    initialize(): Middleware
    session(): Middleware
    authenticate(strategy: string, options?: Options): Middleware
    authenticate(strategy: string, callback: Verified): Middleware
  }
  /** What `passport.initialize()` adds to Koa's context. */
  interface PassportContext extends Context {
    login(user: object, options?: Options): Promise<void>
    logout(options?: Options): Promise<void>
    isAuthenticated(): boolean
  }
  const instance: KoaPassport & { KoaPassport: typeof KoaPassport }
  export default instance
  export type { KoaPassport, PassportContext }
}

declare module 'koa-csrf' {
  import type { Context, Middleware } from 'koa'

  interface Options {
    errorHandler?: (ctx: Context) => unknown
    disableQuery?: boolean
  }
  const createCsrf: new (options?: Options) => Middleware
  export default createCsrf
}
