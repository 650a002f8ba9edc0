/** The settings that a visitor may choose. The limits keep a run short, whatever a form sends. */
export interface RaceSettings {
  /** How many requests the browser sends at once. */
  parallel: number
  /** How long the slowest handler works, in milliseconds. */
  delay: number
}

/** In milliseconds. */
export const mostDelay = 100

export interface Slider {
  name: keyof RaceSettings
  label: string
  unit: string
  min: number
  max: number
  step: number
}

export const sliders: readonly Slider[] = [
  { name: 'parallel', label: 'Requests at once', unit: '', min: 4, max: 20, step: 1 },
  { name: 'delay', label: 'Delay in the handler', unit: ' ms', min: 0, max: mostDelay, step: 5 }
]

export const initialSettings: RaceSettings = { parallel: 8, delay: 40 }

/** @returns `undefined` if a number is missing or outside the limits. */
export function readSettings(field: (name: string) => string): RaceSettings | undefined {
  const settings = { parallel: 0, delay: 0 }
  for (const { name, min, max } of sliders) {
    const text = field(name)
    const number = Number(text)
    if (!/^\d{1,3}$/.test(text) || number < min || number > max) return undefined
    settings[name] = number
  }
  return settings
}
