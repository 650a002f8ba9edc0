const inFlight = 16

/** Calls a function with 0, 1, 2 …, with many calls in progress. */
export async function repeat(total, call) {
  let next = 0
  const worker = async () => {
    while (next < total) await call(next++)
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, total) }, worker))
}
