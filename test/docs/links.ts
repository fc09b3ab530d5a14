// Finds the links of pages that lead nowhere: to a file that is not there, or to a heading that no page has.
import { posix } from 'node:path'

export interface Page {
  readonly file: string
  readonly text: string
}

/** As `file: target`. `files` are all there are; links to other sites are not followed. */
export function brokenLinks(pages: readonly Page[], files: readonly string[]): string[] {
  const headings = new Map(pages.map(({ file, text }) => [file, headingsOf(text)]))
  const isThere = (path: string): boolean => files.some((file) => file === path || file.startsWith(`${path}/`))
  return pages.flatMap(({ file, text }) =>
    linksOf(text)
      .filter((target) => {
        const [path = '', heading] = target.split('#')
        const led = path === '' ? file : posix.join(posix.dirname(file), path)
        if (!isThere(led)) return true
        return heading !== undefined && headings.get(led)?.has(heading) === false
      })
      .map((target) => `${file}: ${target}`),
  )
}

function linksOf(text: string): string[] {
  const links = proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)
  return [...links].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target))
}

/** As GitHub names them. */
function headingsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const titles = proseOf(text).matchAll(/^#+ +(.+)$/gm)
  const names = [...titles].map(([, title = '']) => {
    const name = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    const count = seen.get(name) ?? 0
    seen.set(name, count + 1)
    return count === 0 ? name : `${name}-${count}`
  })
  return new Set(names)
}

function proseOf(text: string): string {
  return text.replaceAll(/^```[^]*?^```/gm, '')
}
