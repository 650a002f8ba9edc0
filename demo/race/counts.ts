import type { Bar, Outcome } from './bar.js'
import { Browser, type Timed } from './browser.js'
import type { RaceSettings } from './settings.js'

export const countsSent = 100

/** One user's browser counts to a hundred, over so many connections. @param path `/count`, or `/plain-count` for the line that both libraries understand. */
export async function counts(origin: string, { parallel, delay }: RaceSettings, path: '/count' | '/plain-count' = '/count'): Promise<Outcome> {
  const browser = new Browser(origin)
  try {
    await browser.post('/login')
    browser.startClock()
    const answers: Timed[] = []
    let sent = 0
    // Each connection sends its next request when it has the answer to the last one.
    const connection = async () => {
      while (sent < countsSent) {
        const wait = Math.round((delay * (1 + (sent++ % 5))) / 5)
        answers.push(await browser.post(`${path}?wait=${wait}`))
      }
    }
    await Promise.all(Array.from({ length: parallel }, connection))
    const { data } = await browser.read()
    return { bars: barsOf(answers, Number(data['count'] ?? 0)), left: data }
  } finally {
    browser.close()
  }
}

/**
 * Finds the lost counts: all but `final`. Each count answered with the number that it wrote. If two wrote the same number, only one of them is in the
 * sum, and none is that wrote a higher number than the final one.
 */
export function barsOf(answers: readonly Timed[], final: number): Bar[] {
  const ordered = answers.toSorted((one, other) => one.to - other.to)
  const writers = new Map<number, Timed>()
  for (const answer of ordered) if (Number(answer.text) <= final) writers.set(Number(answer.text), answer)
  const kept = final >= answers.length ? new Set(answers) : new Set(writers.values())
  return answers.map((answer) => ({ label: `answered ${answer.text}`, from: answer.from, to: answer.to, fate: kept.has(answer) ? 'kept' : 'lost' }))
}
