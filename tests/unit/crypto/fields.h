/* Field lines as literals. */
#ifndef TEST_CRYPTO_FIELDS_H
#define TEST_CRYPTO_FIELDS_H

#define FIELD(name, value)                                                                                                     \
    {                                                                                                                          \
        {name, sizeof(name) - 1},                                                                                              \
        {                                                                                                                      \
            value, sizeof(value) - 1                                                                                           \
        }                                                                                                                      \
    }

#endif
