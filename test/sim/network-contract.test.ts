import { binaryFromBytes } from "../../src/base/bytes.ts";
import type { NetworkInput } from "../../src/ports/network.ts";
import { SimulatedNetwork } from "../../sim/kit/network.ts";
import { inTurn } from "../../sim/kit/random.ts";
import { World } from "../../sim/kit/world.ts";
import { dialContract, type DialHarness, type DialNode } from "../contracts/dial-contract.ts";
import {
  networkContract,
  type NetworkHarness,
  type PeerEnd,
} from "../contracts/network-contract.ts";

/** Virtual time that a condition is given to come true. */
const patienceMs = 600_000;

function harness(cutChance: number): Promise<NetworkHarness> {
  const world = new World();
  const inputs: NetworkInput[] = [];
  const network = new SimulatedNetwork({
    world,
    draws: inTurn(7),
    pipe: { latencyMs: [1, 30], cutChance, windowBytes: 65_536 },
  });
  const port = network.attach("n1", {
    deliver: (input) => void inputs.push(input),
    onSent: () => undefined,
  });
  let logins = 0;

  function connect(): Promise<PeerEnd> {
    logins += 1;
    const received: string[] = [];
    let ended = false;
    let secured = false;
    const wire = network.connect({
      login: `peer#${logins}`,
      node: "n1",
      listener: "c2s",
      remote: "10.0.0.1",
      serverName: "localhost",
      tlsFirst: false,
      events: {
        opened: () => undefined,
        received: (bytes) => void received.push(binaryFromBytes(bytes)),
        secured: () => (secured = true),
        closed: () => (ended = true),
      },
    });
    // Until the last packet of the handshake has arrived, as `connect` on a socket does.
    world.runUntil(world.now() + 100);
    return Promise.resolve({
      get received() {
        return received.join("");
      },
      get ended() {
        return ended;
      },
      get secured() {
        return secured;
      },
      write: (data) => wire.write(data),
      startTls: () => wire.startTls(),
      setReading: (reading) => wire.setReading(reading),
      end: () => wire.close(),
      reset: () => wire.reset(),
    });
  }

  return Promise.resolve({
    inputs,
    connect,
    turn(act) {
      act(port);
      port.flush();
    },
    until(condition) {
      const end = world.now() + patienceMs;
      while (!condition()) {
        if (world.now() >= end) throw new Error("The condition never came true");
        world.runUntil(world.now() + 50);
      }
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
}

networkContract("simulated network", () => harness(0));
networkContract("simulated network, bytes cut anywhere", () => harness(1));

function dialHarness(cutChance: number): Promise<DialHarness> {
  const world = new World();
  const network = new SimulatedNetwork({
    world,
    draws: inTurn(7),
    pipe: { latencyMs: [1, 30], cutChance, windowBytes: 65_536 },
  });
  const node = (name: string): DialNode => {
    const inputs: NetworkInput[] = [];
    const port = network.attach(name, {
      deliver: (input) => void inputs.push(input),
      onSent: () => undefined,
      address: `${name}:7000`,
    });
    return {
      inputs,
      turn(act) {
        act(port);
        port.flush();
      },
    };
  };
  return Promise.resolve({
    dialler: node("n1"),
    listener: node("n2"),
    address: "n2:7000",
    refusingAddress: "n2:7001",
    diallerRemote: "n1",
    until(condition) {
      const end = world.now() + patienceMs;
      while (!condition()) {
        if (world.now() >= end) throw new Error("The condition never came true");
        world.runUntil(world.now() + 50);
      }
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
}

dialContract("simulated network", () => dialHarness(0));
dialContract("simulated network, bytes cut anywhere", () => dialHarness(1));
