// The picture of the demo, the same on every machine.
import type { Image } from './png.ts'

type Colour = readonly [red: number, green: number, blue: number]

const night: Colour = [38, 30, 92]
const glow: Colour = [250, 150, 70]
const sun: Colour = [255, 236, 170]

export function sunset(width: number, height: number): Image {
  const pixels = new Uint8ClampedArray(width * height * 4)
  const horizon = height * 0.68
  for (let y = 0; y < height; y++) {
    // The sea is the sky upside down, with waves.
    const mirrored = y < horizon ? y : 2 * horizon - y + 6 * Math.sin(y / 2)
    for (let x = 0; x < width; x++) {
      const far = Math.hypot(x - width / 2, (mirrored - height * 0.5) * 1.1) / (height * 0.16)
      const colour = far < 1 ? sun : between(night, glow, mirrored / horizon)
      const light = y < horizon ? 1 : 0.7
      pixels.set([...colour.map((channel) => channel * light + grain(x, y)), 255], (y * width + x) * 4)
    }
  }
  return { width, height, pixels: new Uint8Array(pixels.buffer) }
}

function between(from: Colour, to: Colour, share: number): Colour {
  const mix = (index: 0 | 1 | 2): number => from[index] + (to[index] - from[index]) * Math.min(1, Math.max(0, share))
  return [mix(0), mix(1), mix(2)]
}

/** As of film: it looks like chance and is none. */
function grain(x: number, y: number): number {
  const mixed = Math.imul(Math.imul(x + 1, 0x9e3779b1) ^ Math.imul(y + 1, 0x85ebca6b), 0xc2b2ae35)
  return ((mixed >>> 16) & 7) - 3
}
