export function count(value) {
  return (value < 10 ? Number(value.toPrecision(2)) : value < 1000 ? Math.round(value) : Number(value.toPrecision(3))).toLocaleString('en')
}

const scales = [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']]

export function bytes(value) {
  const [unit, name] = scales.find(([each]) => value >= each) ?? [1, 'B']
  return `${count(value / unit)} ${name}`
}

export function duration(seconds) {
  if (seconds < 1) return `${count(seconds * 1000)} ms`
  if (seconds < 120) return `${count(seconds)} s`
  if (seconds < 7200) return `${count(seconds / 60)} min`
  return seconds < 172_800 ? `${count(seconds / 3600)} h` : `${count(seconds / 86_400)} days`
}

export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}
