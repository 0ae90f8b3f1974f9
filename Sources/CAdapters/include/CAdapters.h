#ifndef SLUICE_ADAPTERS_H
#define SLUICE_ADAPTERS_H

/// A file that is part of the program.
struct sluice_embedded {
    const void *_Nonnull bytes;
    int count;
    const char *_Nonnull name;
    /// Its key_variables and base_url_variables, with a space between.
    const char *_Nonnull variables;
};

extern const int sluice_adapter_count;

/// - index: from 0, below the count.
struct sluice_embedded sluice_adapter(int index);

#endif
