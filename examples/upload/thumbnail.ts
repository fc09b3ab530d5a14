// Makes an image smaller: every new pixel is the mean of the old ones it covers.
import type { Image } from './png.ts'

/** The old pixels that a new one covers along one side, and how much of each. */
interface Cover {
  readonly first: number
  readonly shares: readonly number[]
}

/** No side is longer than `longest`; an image that is small already stays as it is. */
export function thumbnail(image: Image, longest: number): Image {
  const factor = Math.min(1, longest / Math.max(image.width, image.height))
  const width = Math.max(1, Math.round(image.width * factor))
  const height = Math.max(1, Math.round(image.height * factor))
  const pixels = new Uint8Array(width * height * 4)
  const columns = covers(image.width, width)
  for (const [y, rows] of covers(image.height, height).entries()) {
    for (const [x, column] of columns.entries()) pixels.set(mean(image, rows, column), (y * width + x) * 4)
  }
  return { width, height, pixels }
}

function covers(oldSize: number, newSize: number): Cover[] {
  return Array.from({ length: newSize }, (_, index) => {
    const [from, to] = [(index * oldSize) / newSize, ((index + 1) * oldSize) / newSize]
    const first = Math.floor(from)
    const shares = Array.from({ length: Math.ceil(to) - first }, (_, offset) => {
      return Math.min(to, first + offset + 1) - Math.max(from, first + offset)
    })
    return { first, shares }
  })
}

function mean({ width, pixels }: Image, rows: Cover, columns: Cover): readonly number[] {
  let [red, green, blue, opacity, area] = [0, 0, 0, 0, 0]
  for (const [down, rowShare] of rows.shares.entries()) {
    for (const [right, columnShare] of columns.shares.entries()) {
      const at = ((rows.first + down) * width + columns.first + right) * 4
      const share = rowShare * columnShare
      // What cannot be seen has no say in the colour.
      const seen = share * pixels[at + 3]!
      red += seen * pixels[at]!
      green += seen * pixels[at + 1]!
      blue += seen * pixels[at + 2]!
      opacity += seen
      area += share
    }
  }
  if (opacity === 0) return [0, 0, 0, 0]
  return [red / opacity, green / opacity, blue / opacity, opacity / area].map(Math.round)
}
