/**
 * Spelling: in how many ways can a client write one address?
 *
 * Plans, traces and oracles know addresses as they are once prepared (RFC 7622); only what is on the wire may be
 * spelled otherwise, and whoever echoes it may echo either. So what is read is prepared before it is told.
 */
import type { JidCache } from "../../src/xmpp/jid.ts";
import type { Random } from "../kit/random.ts";

/** Each takes what is prepared and gives what is to be written. */
export interface Spelling {
  address(jid: string): string;
  user(name: string): string;
  resource(name: string): string;
}

const asItIs = (text: string): string => text;

export const asPrepared: Spelling = { address: asItIs, user: asItIs, resource: asItIs };

/** Another spelling each time, and now and then the usual one. */
export class OwnSpelling implements Spelling {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  address(jid: string): string {
    const slash = jid.indexOf("/");
    const bare = slash === -1 ? jid : jid.slice(0, slash);
    const at = bare.indexOf("@");
    const user = at === -1 ? "" : `${this.user(bare.slice(0, at))}@`;
    const resource = slash === -1 ? "" : `/${this.resource(jid.slice(slash + 1))}`;
    return user + this.#inCapitals(bare.slice(at + 1)) + resource;
  }

  /** RFC 8265 §3.3: in lower case, of the usual width, composed. */
  user(name: string): string {
    const capital = this.#inCapitals(name);
    const wide = this.#random.chance(0.1) ? capital.replace(/[a-z]/gi, wideLetter) : capital;
    return this.resource(wide);
  }

  /** RFC 8265 §4.2: composed; case tells. */
  resource(name: string): string {
    return this.#random.chance(0.5) ? name.normalize("NFD") : name;
  }

  #inCapitals(text: string): string {
    switch (this.#random.int(3)) {
      case 0:
        return text;
      case 1:
        return text.toUpperCase();
      default:
        return text.slice(0, 1).toUpperCase() + text.slice(1);
    }
  }
}

/** As Chinese and Japanese keyboards write it. */
function wideLetter(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
}

/** What is no address stays what it is: the oracles shall see it. */
export function prepared(address: string, known: JidCache): string {
  return known.get(address)?.full ?? address;
}
