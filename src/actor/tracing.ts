// Spans of messages, through an OpenTelemetry API that is loaded only when a system is told to trace.

import { createRequire } from 'node:module'
import { openTelemetryMissing } from './errors.ts'

/** The part of `@opentelemetry/api` that is used; the module itself is one. */
export interface OpenTelemetry {
  readonly trace: {
    getTracer(name: string): Tracer
    setSpan(context: object, span: Span): object
  }
  readonly context: {
    active(): object
    with<R>(context: object, fn: () => R): R
  }
}

interface Tracer {
  startSpan(name: string, options?: SpanOptions, context?: object): Span
}

interface SpanOptions {
  readonly kind: number
  readonly attributes: Readonly<Record<string, string>>
}

interface Span {
  recordException(error: Error): void
  setStatus(status: { code: number; message?: string }): unknown
  end(): void
}

/** The span of one message. */
export interface MessageSpan {
  /** Calls `fn`; what it sends, now or after an `await`, has this span for its parent. */
  within<R>(fn: () => R): R
  end(failure: Error | string | undefined): void
}

const consumer = 4
const failed = 2

/**
 * Turns the option `tracing` into what makes spans.
 *
 * Throws: `package_missing`, when the API is to be loaded and is not installed.
 */
export function tracingOf(option: boolean | OpenTelemetry, load = loadOpenTelemetry): Tracing | undefined {
  if (option === false) return undefined
  return new Tracing(option === true ? load() : option)
}

/** Loads the API at once, not with a promise, so that also the first message has its span. */
export function loadOpenTelemetry(from = import.meta.url): OpenTelemetry {
  try {
    return createRequire(from)('@opentelemetry/api') as OpenTelemetry
  } catch (error) {
    throw openTelemetryMissing(error)
  }
}

export class Tracing {
  readonly #api: OpenTelemetry
  readonly #tracer: Tracer

  constructor(api: OpenTelemetry) {
    this.#api = api
    this.#tracer = api.trace.getTracer('troupe')
  }

  get active(): object {
    return this.#api.context.active()
  }

  /** Begins the span of a message below what was active where it was sent. */
  begin(name: string, attributes: SpanOptions['attributes'], context: object): MessageSpan {
    const span = this.#tracer.startSpan(name, { kind: consumer, attributes }, context)
    const end = (failure: Error | string | undefined): void => {
      if (failure instanceof Error) span.recordException(failure)
      if (failure !== undefined) span.setStatus({ code: failed, message: String(failure) })
      span.end()
    }
    return { within: (fn) => this.#api.context.with(this.#api.trace.setSpan(context, span), fn), end }
  }

  /** Calls `fn` later with what is active now. */
  bound<R>(fn: () => R): () => R {
    const context = this.active
    return () => this.#api.context.with(context, fn)
  }
}
