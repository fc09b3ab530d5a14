// Graphs to be performed, as data: by Troupe as templates, by the yardstick as they are.

export interface Graph {
  readonly name: string
  /** For each node those it needs, by their place. */
  readonly needs: readonly (readonly number[])[]
}

/** So many nodes, all ready at once. */
export function wide(count: number): Graph {
  return { name: `${count} at once`, needs: Array.from({ length: count }, () => []) }
}

/** One after the other. */
export function chain(count: number): Graph {
  return { name: `chain of ${count}`, needs: Array.from({ length: count }, (_, i) => (i === 0 ? [] : [i - 1])) }
}

const needsOfEach = 3

/** Each node needs three of the layer before, its neighbours there among them. */
export function layered(layers: number, width: number): Graph {
  const needs = Array.from({ length: layers * width }, (_, i) => {
    const layer = Math.floor(i / width)
    if (layer === 0) return []
    const places = Array.from({ length: Math.min(needsOfEach, width) }, (_each, n) => (i + n * 7) % width)
    return [...new Set(places)].map((place) => (layer - 1) * width + place)
  })
  return { name: `${layers} layers of ${width}`, needs }
}

export const nameOf = (node: number): string => `step-${node}`

/** What reads templates reads it: JSON. */
export function templateText({ name, needs }: Graph): string {
  const steps = needs.map((all, i) => ({ name: nameOf(i), uses: 'work', needs: all.map(nameOf), with: { i } }))
  return JSON.stringify({ name, steps, output: null })
}
