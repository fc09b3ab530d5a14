// Sizes as people read them.

const units = ['KiB', 'MiB', 'GiB', 'TiB']

/** Writes a number of bytes for people: `512 bytes`, `1.5 KiB`, `12 MiB`. */
export function formatBytes(bytes: number): string {
  let [rest, unit] = [bytes, 'bytes']
  for (const next of units) {
    if (rest < 1024) break
    ;[rest, unit] = [rest / 1024, next]
  }
  return `${rest < 10 && unit !== 'bytes' ? Math.round(rest * 10) / 10 : Math.round(rest)} ${unit}`
}
