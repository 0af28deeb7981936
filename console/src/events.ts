/** Server-sent events out of a stream that a POST answers with: EventSource can only GET. Test: test/events.test.ts. */

export interface StreamEvent {
  name: string;
  data: string;
}

/** Takes text as it comes, in whatever parts, and gives the events that are whole. */
export class EventReader {
  private rest = "";
  private name = "";
  private data: string[] = [];

  take(text: string): StreamEvent[] {
    const all: StreamEvent[] = [];
    this.rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.rest);
      if (end === null) return all;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      if (line !== "") this.field(line);
      else {
        if (this.data.length > 0) all.push({ name: this.name === "" ? "message" : this.name, data: this.data.join("\n") });
        this.name = "";
        this.data = [];
      }
    }
  }

  private field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.name = value;
    else if (name === "data") this.data.push(value);
  }
}
