/**
 * The live tail: changes as they get their places in the tree. Whoever was cut off goes on behind the last place that was seen, so that
 * none is missing and none comes twice, whatever happened to the server meanwhile.
 */
import type { Change } from "./answers.ts";
import { parse } from "./json.ts";
import { api } from "./route.ts";

export type TailState = "off" | "connecting" | "live" | "cut off";

export interface Listener {
  change: (change: Change) => void;
  state: (state: TailState) => void;
  /** Connected: what was changed before that, and is not on the page, is asked for by who listens. */
  connected: () => void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

export class Tail {
  private source: EventSource | null = null;
  private again: ReturnType<typeof setTimeout> | undefined;
  private wait = FIRST_WAIT;
  private last: bigint | null = null;
  private refused = 0;

  constructor(private readonly filter: string, private readonly listener: Listener) {}

  open(): void {
    if (this.source !== null) return;
    clearTimeout(this.again);
    this.listener.state("connecting");
    const source = new EventSource(api("/events", { q: this.filter, after: this.last === null ? null : String(this.last) }));
    this.source = source;
    source.addEventListener("open", () => {
      this.wait = FIRST_WAIT;
      this.refused = 0;
      this.listener.state("live");
      this.listener.connected();
    });
    source.addEventListener("at", (event) => this.saw(event as MessageEvent<string>));
    source.addEventListener("change", (event) => {
      const message = event as MessageEvent<string>;
      if (this.saw(message)) this.listener.change(parse(message.data) as unknown as Change);
    });
    // The browser would try again by itself, but not after every answer, and by a clock of its own.
    source.addEventListener("error", () => {
      // Answered, and refused: too many follow, or the trail was set back and has no such place. Then what is known is the page's list.
      if (source.readyState === EventSource.CLOSED && ++this.refused > 1) this.last = null;
      this.shut();
      this.listener.state("cut off");
      this.again = setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(LONGEST_WAIT, this.wait * 2);
    });
  }

  /** Until it is opened again: it goes on where it stopped. */
  close(): void {
    clearTimeout(this.again);
    this.shut();
    this.listener.state("off");
  }

  private shut(): void {
    this.source?.close();
    this.source = null;
  }

  private saw(message: MessageEvent<string>): boolean {
    if (!/^-?\d+$/.test(message.lastEventId)) return true;
    const index = BigInt(message.lastEventId);
    if (this.last !== null && index <= this.last) return false;
    this.last = index;
    return true;
  }
}
