/** The simulated HTTP port keeps the contract. */
import type { HttpInput } from "../../src/ports/http.ts";
import { SimulatedHttp, type HttpAnswer } from "../../sim/ports/http.ts";
import { httpContract } from "../contracts/http-contract.ts";

httpContract("simulated http", () => {
  const inputs: HttpInput[] = [];
  const http = new SimulatedHttp((input) => inputs.push(input));
  return Promise.resolve({
    inputs,
    http,
    ask(method, target, host) {
      let answer: HttpAnswer | undefined;
      const leave = http.ask({ listener: "http", method, target, host }, (given) => {
        answer = given;
      });
      return {
        leave,
        get answer() {
          return answer;
        },
      };
    },
    until(condition) {
      return condition() ? Promise.resolve() : Promise.reject(new Error("it never comes true"));
    },
    close: () => Promise.resolve(),
  });
});
