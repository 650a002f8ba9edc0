import { DerivedFromSecrets, type Token } from './cookie/index.js'
import type { Settings } from './options.js'
import { RecordSealer, Sealer } from './record/index.js'
import { SealedRecords, unsealed, type RecordSource } from './request/index.js'
import { TimedStore } from './store/index.js'
import { cookiePurpose } from './stores/cookie.js'

/** The places from which the requests of one middleware read records: its store, or the cookie of each request. */
export class RecordSources {
  readonly #settings: Settings
  /** Absent with a cookie store. */
  readonly #source: RecordSource | undefined
  /** Absent without the option `seal`. */
  readonly #sealings: DerivedFromSecrets<SealedRecords> | undefined
  readonly #cookieSealers = new DerivedFromSecrets('cookieStore({ encrypt: true })', (secrets) => new Sealer(secrets, cookiePurpose))

  constructor(settings: Settings, store: TimedStore | undefined) {
    this.#settings = settings
    this.#source = store && { rules: settings, store, sealing: unsealed }
    const { seal } = settings
    if (seal !== false) this.#sealings = new DerivedFromSecrets('seal', (secrets) => new SealedRecords(new RecordSealer(secrets), seal === 'migrate'))
  }

  /**
   * The source of one request.
   *
   * @param keys the keys of this moment.
   * @throws SessionError `ERR_SESSION_KEYS` or TypeError for keys that cannot seal, if something is sealed.
   */
  forRequest(tokens: readonly Token[], keys: unknown): RecordSource {
    if (!this.#source) return this.#carried(tokens, keys)
    return this.#sealings ? { ...this.#source, sealing: this.#sealings.forKeys(keys) } : this.#source
  }

  #carried(tokens: readonly Token[], keys: unknown): RecordSource {
    const rules = this.#settings
    const cookieStore = rules.cookieStore!
    // Without `encrypt`, cookies that were encrypted earlier are read too, unless a Keygrip hides the secrets.
    const sealer = cookieStore.encrypts || Array.isArray(keys) ? this.#cookieSealers.forKeys(keys) : undefined
    const carrier = cookieStore.carry(tokens, rules, sealer)
    return { rules, store: new TimedStore(carrier, rules.storeTimeout), sealing: unsealed, carrier }
  }
}
