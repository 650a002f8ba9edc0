import { SessionError } from '../errors.js'
import { isSigner } from './ready-signer.js'
import { Secrets, type Secret } from './secrets.js'
import { assertKeys, warnOfWeakSecret } from './signing-keys.js'

/**
 * Refuses keys that hide the secrets, so that they can make nothing but signatures.
 *
 * @param option the option that needs the secrets themselves.
 * @throws SessionError `ERR_SESSION_KEYS` for a ready Keygrip, and whatever `assertKeys` throws.
 */
export function assertSecrets(keys: unknown, where: string, option: string): asserts keys is readonly Secret[] {
  assertKeys(keys, where)
  if (!isSigner(keys)) return
  throw new SessionError(
    'ERR_SESSION_KEYS',
    `${where}: ${option} needs the secrets themselves, but a ready Keygrip hides them: set keys (or app.keys) to the array of secrets, newest first`
  )
}

/** Makes something from the secrets, for example a sealer, and makes it again when the keys change. */
export class DerivedFromSecrets<T> {
  readonly #option: string
  readonly #make: (secrets: readonly Secret[]) => T
  #latest: { readonly secrets: Secrets; readonly value: T } | undefined

  /** @param option the option that needs the secrets themselves. */
  constructor(option: string, make: (secrets: readonly Secret[]) => T) {
    this.#option = option
    this.#make = make
  }

  /**
   * Call it for each request, because an application may change `app.keys`.
   *
   * @throws SessionError `ERR_SESSION_KEYS` or TypeError for keys that are no secrets.
   */
  forKeys(keys: unknown): T {
    if (this.#latest?.secrets.equals(keys)) return this.#latest.value
    assertSecrets(keys, 'session()', this.#option)
    const secrets = new Secrets(keys)
    warnOfWeakSecret(secrets.list)
    this.#latest = { secrets, value: this.#make(secrets.list) }
    return this.#latest.value
  }
}
