/** The longest delay that a timer can have, in milliseconds: Node fires a longer one after 1 ms. */
export const longestDelay = 2_147_483_647
