import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DelayHistogram } from "../../src/core/delay-histogram.ts";

function histogramOf(delays: readonly number[]): DelayHistogram {
  const histogram = new DelayHistogram();
  for (const delay of delays) histogram.add(delay);
  return histogram;
}

describe("a histogram of delays", () => {
  it("tells zeros of none", () => {
    assert.deepEqual([new DelayHistogram().quantile_ms(0.99), new DelayHistogram().max_ms], [0, 0]);
  });

  it("keeps the largest", () => {
    assert.equal(histogramOf([1, 250.5, 3]).max_ms, 250.5);
  });

  for (const share of [0.01, 0.5, 0.9, 0.99]) {
    it(`tells quantile ${share} to a tenth, and never too low`, () => {
      const histogram = histogramOf(Array.from({ length: 1000 }, (_, index) => index + 1));
      const told = histogram.quantile_ms(share);
      assert.ok(told >= 1000 * share && told <= 1100 * share, `${told}`);
    });
  }

  it("tells the largest for quantile 1", () => {
    assert.equal(histogramOf([1, 2, 33.3]).quantile_ms(1), 33.3);
  });

  it("does not let one large delay among many into p99", () => {
    assert.ok(histogramOf([...Array(199).fill(1), 500]).quantile_ms(0.99) <= 1.1);
  });

  it("takes delays of no time and of hours", () => {
    const histogram = histogramOf([0, 36_000_000]);
    assert.ok(histogram.quantile_ms(0.5) <= 0.1);
    assert.ok(histogram.quantile_ms(1) > 1_000_000);
  });
});
