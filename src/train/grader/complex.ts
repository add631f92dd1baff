/** A complex number; NaN marks what has no value. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

export function complex(re: number, im = 0): Complex {
  return { re, im };
}

export const NOTHING: Complex = complex(Number.NaN, Number.NaN);
export const I: Complex = complex(0, 1);

export function isFiniteComplex({ re, im }: Complex): boolean {
  return Number.isFinite(re) && Number.isFinite(im);
}

export function magnitude({ re, im }: Complex): number {
  return Math.hypot(re, im);
}

export function add(a: Complex, b: Complex): Complex {
  return complex(a.re + b.re, a.im + b.im);
}

export function negate(a: Complex): Complex {
  return complex(-a.re, -a.im);
}

export function subtract(a: Complex, b: Complex): Complex {
  return complex(a.re - b.re, a.im - b.im);
}

export function multiply(a: Complex, b: Complex): Complex {
  return complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
}

export function divide(a: Complex, b: Complex): Complex {
  if (b.im === 0) return complex(a.re / b.re, a.im / b.re);
  const norm = b.re * b.re + b.im * b.im;
  return complex((a.re * b.re + a.im * b.im) / norm, (a.im * b.re - a.re * b.im) / norm);
}

export function exp(a: Complex): Complex {
  const scale = Math.exp(a.re);
  return a.im === 0 ? complex(scale) : complex(scale * Math.cos(a.im), scale * Math.sin(a.im));
}

/** Principal branch. */
export function log(a: Complex): Complex {
  return complex(Math.log(magnitude(a)), a.im === 0 ? (a.re < 0 ? Math.PI : 0) : Math.atan2(a.im, a.re));
}

/** Principal branch; real powers of positive numbers and whole powers stay as exact as doubles allow. */
export function power(base: Complex, exponent: Complex): Complex {
  if (exponent.im === 0 && base.im === 0 && (base.re >= 0 || Number.isInteger(exponent.re)))
    return complex(base.re ** exponent.re);
  if (exponent.im === 0 && Number.isInteger(exponent.re) && Math.abs(exponent.re) <= 64) {
    let product = complex(1);
    for (let i = 0; i < Math.abs(exponent.re); i++) product = multiply(product, base);
    return exponent.re < 0 ? divide(complex(1), product) : product;
  }
  if (base.re === 0 && base.im === 0) return exponent.re > 0 ? complex(0) : NOTHING;
  return exp(multiply(exponent, log(base)));
}

export function sqrt(a: Complex): Complex {
  return power(a, complex(0.5));
}

export function sinh(a: Complex): Complex {
  return a.im === 0 ? complex(Math.sinh(a.re)) : divide(subtract(exp(a), exp(negate(a))), complex(2));
}

export function cosh(a: Complex): Complex {
  return a.im === 0 ? complex(Math.cosh(a.re)) : divide(add(exp(a), exp(negate(a))), complex(2));
}

/** sin z = sinh(iz)/i */
export function sin(a: Complex): Complex {
  return a.im === 0 ? complex(Math.sin(a.re)) : divide(sinh(multiply(I, a)), I);
}

/** cos z = cosh(iz) */
export function cos(a: Complex): Complex {
  return a.im === 0 ? complex(Math.cos(a.re)) : cosh(multiply(I, a));
}

/** asin z = −i·log(iz + √(1−z²)) */
export function asin(a: Complex): Complex {
  if (a.im === 0 && Math.abs(a.re) <= 1) return complex(Math.asin(a.re));
  const root = sqrt(subtract(complex(1), multiply(a, a)));
  return negate(multiply(I, log(add(multiply(I, a), root))));
}

/** atan z = (log(1+iz) − log(1−iz)) / 2i */
export function atan(a: Complex): Complex {
  if (a.im === 0) return complex(Math.atan(a.re));
  const iz = multiply(I, a);
  return divide(subtract(log(add(complex(1), iz)), log(subtract(complex(1), iz))), complex(0, 2));
}
