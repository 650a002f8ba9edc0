// oxlint-disable typescript/no-unnecessary-type-parameters -- only two generic functions are compared by identity

/** Compiles only if both types are the same. */
export type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false

export function assertSame<One, Other>(_same: Same<One, Other>): void {}
