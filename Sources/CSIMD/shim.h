// What Swift's SIMD types lack: the position of the first lane that matches, in a few instructions.
#ifndef SLUICE_CSIMD_H
#define SLUICE_CSIMD_H
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/// The offset of the first of 16 bytes that ends a run of plain text in a JSON string: a quotation mark, a backslash, a
/// control character or a byte that is not ASCII; 16 if there is none. Reads 16 bytes, at any alignment.
static inline __attribute__((always_inline)) intptr_t csimd_first_string_stop(const uint8_t *_Nonnull bytes) {
#if defined(__SSE2__)
    const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    // As signed numbers, control characters and bytes from 0x80 up are both below 0x20.
    const __m128i stops = _mm_or_si128(
        _mm_cmplt_epi8(text, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('"')), _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'))));
    return __builtin_ctz((unsigned)_mm_movemask_epi8(stops) | 0x10000u);
#elif defined(__aarch64__)
    const uint8x16_t text = vld1q_u8(bytes);
    const uint8x16_t stops = vorrq_u8(
        vcltq_s8(vreinterpretq_s8_u8(text), vdupq_n_s8(0x20)),
        vorrq_u8(vceqq_u8(text, vdupq_n_u8('"')), vceqq_u8(text, vdupq_n_u8('\\'))));
    // Narrowing by four bits leaves a nibble a lane: aarch64's substitute for movemask.
    const uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(stops), 4);
    const uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(nibbles), 0);
    return mask == 0 ? 16 : __builtin_ctzll(mask) >> 2;
#else
    intptr_t offset = 0;
    while (offset < 16) {
        const uint8_t byte = bytes[offset];
        if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
        offset += 1;
    }
    return offset;
#endif
}

/// The offset of the first control character (below 0x20, or 0x7F) of 16 bytes; 16 if there is none. At any alignment.
static inline __attribute__((always_inline)) intptr_t csimd_first_control(const uint8_t *_Nonnull bytes) {
#if defined(__SSE2__)
    const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    const __m128i controls = _mm_or_si128(
        _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1F)), text), _mm_cmpeq_epi8(text, _mm_set1_epi8(0x7F)));
    return __builtin_ctz((unsigned)_mm_movemask_epi8(controls) | 0x10000u);
#elif defined(__aarch64__)
    const uint8x16_t text = vld1q_u8(bytes);
    const uint8x16_t controls = vorrq_u8(vcltq_u8(text, vdupq_n_u8(0x20)), vceqq_u8(text, vdupq_n_u8(0x7F)));
    const uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(controls), 4);
    const uint64_t mask = vget_lane_u64(vreinterpret_u64_u8(nibbles), 0);
    return mask == 0 ? 16 : __builtin_ctzll(mask) >> 2;
#else
    intptr_t offset = 0;
    while (offset < 16 && bytes[offset] >= 0x20 && bytes[offset] != 0x7F) offset += 1;
    return offset;
#endif
}
#endif
