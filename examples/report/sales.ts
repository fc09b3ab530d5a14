// A year of sales as a file, the same on every machine: stands for what a shop would export.
import { writeFile } from 'node:fs/promises'

const regions = ['north', 'east', 'south', 'west']
// What makes CSV hard is among the names: commas, quotes, and what means something in a page.
const products = [
  { name: 'Coffee, ground', cents: 875 },
  { name: 'Coffee, beans', cents: 1_190 },
  { name: '"Earl" tea', cents: 540 },
  { name: 'Salt & <pepper>', cents: 320 },
  { name: 'Rice', cents: 275 },
]
const days = 365

export async function writeSales(path: string, rows: number): Promise<void> {
  const lines = ['date,region,product,quantity,unit_price']
  const next = chance(2026)
  for (let row = 0; row < rows; row++) {
    // Days come in order, as in an export, and more is sold towards the end of the year.
    const day = Math.floor(Math.sqrt(row / rows) * days)
    const date = new Date(Date.UTC(2025, 0, 1 + day)).toISOString().slice(0, 10)
    const region = regions[next(regions.length)]
    const product = products[Math.min(next(products.length), next(products.length))]!
    const price = (product.cents + next(50)) / 100
    lines.push(`${date},${region},${quoted(product.name)},${1 + next(9)},${price.toFixed(2)}`)
  }
  await writeFile(path, `${lines.join('\r\n')}\r\n`)
}

function quoted(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

/** Whole numbers below the limit that look like chance: a linear congruential generator, of which the high bits are good. */
function chance(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
