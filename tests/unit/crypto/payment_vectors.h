/* Made with openssl's command for payment_wire_test.c, and used nowhere else: a key, its certificate, a stranger's, and what
 * they sign. */
#ifndef TESTS_PAYMENT_VECTORS_H
#define TESTS_PAYMENT_VECTORS_H

#define VECTOR_KEY                                                                                                             \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                            \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCjv8JNSyxOLAc9\n"                                                       \
    "jx5br+BmOlh43h7Tvz+GYC7W0KhAczQHE4TW5GrTg1yOhULj9EG8v0ed4tszFOAs\n"                                                       \
    "DioWhvy0gfMYjgjPUnAxQiOgYFmr0hH1udBKNAbuCDzW5WVyyqme/cYeU8RHF8+b\n"                                                       \
    "XA87aGP4WwVipnrgWM7j9wGRbkj+19GzF0WXyFxUPnRBABkImUsWVPNERn/Ij1+f\n"                                                       \
    "rFSc3G+qWHx60d/K4o1a8YovJwhjognDkzLmRdTmmAPtgzLbdYW+whIPhuaGnoxj\n"                                                       \
    "LkDuHLtjvvV73qX8mHHLi08Gs+of7JJYcXYxB5sHERbmHpHk4KgyorIBF0GJGdCV\n"                                                       \
    "felZLBebAgMBAAECggEAHF100n/Rmm79CBhZGWfTdtHnjnRnoaVw4x2ZL4PwiU2L\n"                                                       \
    "dyhV7AWgTahlKZkC98rRclkuFjb8YpJcrLT9bG6QqtIR4rCD7SnqHlZHJppaHi3j\n"                                                       \
    "B45a+uedRbFunIkbNDHQBScPoSRAjVIeF9rwFonkO1rFCYwuH9uyZwHcJy2T/nTr\n"                                                       \
    "9CZQPp4TTAPPg5+Hw4DrJf3lPp+ItD4dxl3zbZ7rWJk4wlBXEtZcg6vF+tX/GP08\n"                                                       \
    "tWaobgUeY3YLog5FpTMpo/5Re17UFEm3nFuACcu1U+HcoHP1iL9wpoIbdQKRgv0F\n"                                                       \
    "R+BYYaUa4FOwGZsjgg4tXI9xHOORJX0J9u/mbQWXFQKBgQDguBXRMxWo2DKRKbN2\n"                                                       \
    "IOFQdn66L5w1L1SvomBFt8/iZ4rAeHm6el588ucuQ8cMDvEauL179fe4IK9qqSLP\n"                                                       \
    "A/s67ljs4yQryq1PyYvRksqo5Lwv9q51A++Vyrt5IkOnr+/yfO9bNr2heC+oRI9a\n"                                                       \
    "YfufiBEYd3naF3k3CAa1CM1MtwKBgQC6iv5J6/rrc62MTvaZV9hNF5OsG71ZohtU\n"                                                       \
    "xlCbTSHoUV6Wkz+/xHVr0ABPQU15OZEtwyasW9Kp9/5s0Y22D1x2SYRXV9UsHQlP\n"                                                       \
    "rQOJvrRganxoFo4210k6CcrRo5V3eVgpFqG54I9CcQudH22/+unT3wNwpZKrX/Gi\n"                                                       \
    "eMGlM5WwPQKBgBfPaYBhCUp6neEDqiA6G6WK6KKRqNt5yF9TtR+t+jji/7ClE0DO\n"                                                       \
    "9nQGyLf+NnjwnFtYd7tKtJSt4ehLQ4TrxxLXblSrPInnT7XEhSwPgamjks0CNjnv\n"                                                       \
    "0NLuSC7tkn2SBrqKwlHH2w/gzCvoF8hb2W1t3WHaRu70zcMm9o73/8jBAoGBAJY7\n"                                                       \
    "UkfeUJpG80HIZjlg0cZkcn1tabVCJJjFji1ElUYwIelKdVDPu3E0dstdYDN89TrR\n"                                                       \
    "q9erq6FPJAwnR+WTwXdSBc8B4aBBUjpksDDC8SmlGMQLRkVMZKDlOf5TrBAoHaQZ\n"                                                       \
    "oe28uCNeP2gu44h1XtNPC8owzkpOXp/meK2/OZJRAoGAUGtYtik3z9kw+DwNNkpN\n"                                                       \
    "DQ9P0KYiJhc0Ho8Xpx4G5JxliQ4pTtriIaqG4SDHhMDH2Loo+Fp6vpF7pgI1qZDH\n"                                                       \
    "CIlfJR/guGDZaw1ab60MdamnR1wyML83opN30hyLbplKXG9CKJjykzHowMpRVcQ4\n"                                                       \
    "Us3gMeTTA/S1uq52zOo7OsY=\n"                                                                                               \
    "-----END PRIVATE KEY-----\n"
#define VECTOR_CERTIFICATE                                                                                                     \
    "-----BEGIN CERTIFICATE-----\n"                                                                                            \
    "MIIDHTCCAgWgAwIBAgIUP8g/+OF43/e6MU8xGQxGOmCvkAYwDQYJKoZIhvcNAQEL\n"                                                       \
    "BQAwHTEbMBkGA1UEAwwSMDQxQFoxMkBVbmlvblBheUAxMCAXDTI2MTEyNDIwMjUx\n"                                                       \
    "M1oYDzIxMjYxMDMxMjAyNTEzWjAdMRswGQYDVQQDDBIwNDFAWjEyQFVuaW9uUGF5\n"                                                       \
    "QDEwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCjv8JNSyxOLAc9jx5b\n"                                                       \
    "r+BmOlh43h7Tvz+GYC7W0KhAczQHE4TW5GrTg1yOhULj9EG8v0ed4tszFOAsDioW\n"                                                       \
    "hvy0gfMYjgjPUnAxQiOgYFmr0hH1udBKNAbuCDzW5WVyyqme/cYeU8RHF8+bXA87\n"                                                       \
    "aGP4WwVipnrgWM7j9wGRbkj+19GzF0WXyFxUPnRBABkImUsWVPNERn/Ij1+frFSc\n"                                                       \
    "3G+qWHx60d/K4o1a8YovJwhjognDkzLmRdTmmAPtgzLbdYW+whIPhuaGnoxjLkDu\n"                                                       \
    "HLtjvvV73qX8mHHLi08Gs+of7JJYcXYxB5sHERbmHpHk4KgyorIBF0GJGdCVfelZ\n"                                                       \
    "LBebAgMBAAGjUzBRMB0GA1UdDgQWBBTUT0m8IJuoRXKRkidU9x+9f5eYbjAfBgNV\n"                                                       \
    "HSMEGDAWgBTUT0m8IJuoRXKRkidU9x+9f5eYbjAPBgNVHRMBAf8EBTADAQH/MA0G\n"                                                       \
    "CSqGSIb3DQEBCwUAA4IBAQBsjBcomofA90J86DA6MeMMg6DP9dUhrtxuovilpgjh\n"                                                       \
    "ARnXH0pIKOEf/2L/j9HZgqnBviZGZIG0fitMXKDC3G4NQLtpZqSFSfLM1lxppnee\n"                                                       \
    "rNdztSo/s7EW37sRQyjjJu+7A6nEsnlUYG4o/j/Ck64d7apxpmj6delah0TRwC8x\n"                                                       \
    "sz3K2kGuhssfscRUN7bXIddp4u4mh2GkSuSWtinhQhN8XfeI+XATQRO9KSZT2YXp\n"                                                       \
    "TnqTIuuZOL/4LVM7a5i7ItA2KO+lJt+6QdnfOR2lEezbXSvbdepMjZwP/a/bZZw8\n"                                                       \
    "znQ1iMqf3Zgz0xgwQzDA/LCttbFt/LQim1uY8+jF5eY7\n"                                                                           \
    "-----END CERTIFICATE-----\n"
#define VECTOR_STRANGER                                                                                                        \
    "-----BEGIN CERTIFICATE-----\n"                                                                                            \
    "MIIDCTCCAfGgAwIBAgIUTYbVpdAaszihNpubFmnQ3Wr0dOgwDQYJKoZIhvcNAQEL\n"                                                       \
    "BQAwEzERMA8GA1UEAwwIc3RyYW5nZXIwIBcNMjYxMTI0MjAyNTE3WhgPMjEyNjEw\n"                                                       \
    "MzEyMDI1MTdaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMIIBIjANBgkqhkiG9w0BAQEF\n"                                                       \
    "AAOCAQ8AMIIBCgKCAQEA0hwvTufaEIo6uCXBNEYexGcf5ACdYcEQQYuCHx8y62TX\n"                                                       \
    "OwMAQk6Km5ik9yMkJIyhV2k3GK3T++Yx5mFuEUfv4nF/Fh2CTXZ3nmABpoP6CJmv\n"                                                       \
    "oYCP6eFY5E3Rskc1WJzviUOMpQKAI9NYh7LY5wIpLxAT60J1W4+rRCIpot5oYcXc\n"                                                       \
    "jJHOXUng3G3HP8sOZ1GSbEWNVhcdfDageHMdm0nFIHcWCsYsR3YJSxdoTblmy7eY\n"                                                       \
    "5ZDGL9iuKi3iKak5s1I8kL1f9flK6jfYkH+3M0ERGwOvtTHb1so4qLbqBjYTHpCd\n"                                                       \
    "nAe8kWl6GCmSER01xYIJYWYWQl9bgq7Dx94lk6QRXQIDAQABo1MwUTAdBgNVHQ4E\n"                                                       \
    "FgQUM5gKWWCI+yFx87PgQ2318k0pIu0wHwYDVR0jBBgwFoAUM5gKWWCI+yFx87Pg\n"                                                       \
    "Q2318k0pIu0wDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAk83V\n"                                                       \
    "xETR7ZIg1Jds8VIrX7cRLtY3zPh15t6+t94CvXKGylbZOlowaH8jVIR2rxArY8AC\n"                                                       \
    "+yS4eW7TxSNPGJp2DziyMt5Ejf+3ywxu+FA24NYexA3JhuFkPj2YFUb/aVkbXROi\n"                                                       \
    "hDnMs/K2nM/PFmgzp+AtQxj6NcSIy1kyll/S5WhqKW/ovOkk2wblzGDqo4rDGrJV\n"                                                       \
    "m/AMocelDPlehiJtgHllZnpsw+qxp+yXmeuNV94DQJ4ebNSxLd1h/e3uYT4KqLrD\n"                                                       \
    "z3/8caD0FQ5KcZjKqsf+8t5N/uj3JG8KfG2juTD6bNVoAUd8tWZyKsJLhLQAf0qy\n"                                                       \
    "hON/B4eplWh3xV3vtw==\n"                                                                                                   \
    "-----END CERTIFICATE-----\n"
#define VECTOR_SERIAL "3FC83FF8E178DFF7BA314F31190C463A60AF9006"
#define VECTOR_NUMBER "364132140365352629222224713407528723964178173958"
#define VECTOR_WECHAT_SIGNATURE                                                                                                \
    "SA3TZelakIHdgSqKwgU6ql8p5rPrOplKmUT2lMGXLnnYMv0ky7jE6+DVJiKqQWMUwI7JhNmj7KefR19EcKNcFaytCiQ4h/0KGN5o"                     \
    "TpFf2mFSHYez6wfLpF7B6LBypwzeOob5qun2H3oDwMKfDAghN4R+7qeNwFtzYEBWjAxDwX8IgaB4k1DxsnV36nRh/hOb9gHVK/7K"                     \
    "XSiy/vn7qdDiqZ9owhP6Cjk+kgDhUs3JUda23wI7VrsxVi0IxtA/vL5DYMhav7WTmo0xrlqWw2oypSuuqQwF6cO+wnHBHgi5F41d"                     \
    "mt4RLbhDrtwo7cLvH9dV8ZjZcvLl4y2cf1EkVbzDqw=="
#define VECTOR_UNIONPAY_SIGNATURE                                                                                              \
    "NHH8msZLu4QWapZPVy1hsMN4+9xNcn8/vkLN+1I2Fxfgeh6RL043e3A/JdUZLrurEXLsOF8EDvR99zG2+WFWGZOoquGkJTZRynkT"                     \
    "oBLJBOByNVqHZVdEWlptih3wdtzeyIyMrQb3Mx7rVIP5i1lToYyDWlr0lrtNhFDw8HitC+LhXPK72dNLkxeD1aZqySCuC/lb6p90"                     \
    "gqvpJaPybndwgTmNLcN3L0yTn3HqrJKEcmS8uprfDPCRsD4rzuUHPI+qW24L20DPzgWLcRE7dpVGg1dNJLnomAptWg5DqjFRnZJ7"                     \
    "UveZMxyYA4DfTkIr2MQLX9srNdrUnnJfI9leqroC/g=="
#define VECTOR_SEALED "4ouGGHn75QwOTQ6x5UH1WuPJdsyhTfs="

#endif
