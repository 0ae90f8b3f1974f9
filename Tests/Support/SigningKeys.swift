/// Keys that sign in tests and nowhere else. Made with `openssl genpkey`.
package enum SigningKeys {
    package static let rsa = """
        -----BEGIN PRIVATE KEY-----
        MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDkzybUzMztpNrr
        /OyZWW2dfJrt6VR6q/ZasEF/uqIndXKRWk9C9esLYqL0dbWUiblyXZM9w/UYFq8V
        Tfls4PjGsBnel2c/g51jXAb1U9FOabYAvJxxYHRk59GXfWePrB3rXovciz6flfri
        0/nPUNS23hbdVR61OvqslDVLP2D9zT3pA73PZOHC349n1RL1vwzQKES/j3q7kmkU
        FwJTN0ZjzTGFWxB3pCbM/ssWOZB756kzVw6JdK09Ts5G9D65P/We/tG3+1wjHfS5
        nnsWM1ADnXwoy4kKks98wb9MIb+zbzmzaaK620kBrWbMQ3G+muFwLb8OpEKKD45f
        dN25I89NAgMBAAECggEACzd3fxuaGTVJcSOpQpw+cie7XZngZRIchdYZo+YVkGsi
        xmrfs1fkYZ7Af8zsbZ9xyqA5OWArmfZ0t03nAhYmQ/E6l22jJ1svokEO60RkYJxw
        imk0nx88HX06ylsgskuc/N6Z6yIdXAvpbGi5WJctEljhVJDZbEd7pe2vDiUJf2+S
        T5pJRe6wFsNtOOi2Z0CE4tcQOVSms2MD4JUWfAboKvXwKc2KUbgudbUpyYI7TsLX
        ellboLQH3kRQCM2dfFPGbIHUnF3QPqO2z1wsIr5CxznJaezaOyjMF/TCrXNV9X0C
        TU3Y2YPyVCh9Z9bR3hrMe7p2EtYxLDH06SADtDaz8QKBgQD75ISv1Hwe9KotRlkl
        Ux8BHBRrGnVLD1rjOugi+84xDcU+dpwhNsIYlxz7f+Uc0xXUmmSG4B5dxTdIpDI7
        4Vftfj/x9PJ1p9YovA0FkUj+qfz6TVp10lM3Zs73tf+226UbMRQkgzdhIn3nS5cN
        h52cq/szY1biv0JxIc9BqlISMQKBgQDoikaHnjOkEmVGDkkqYEaXUYOo2QuaENa1
        HLyaNSzyhn1P2T4jUz/yczAeifUqiAnO7L8i9TPDKhF7YyjHTiJrRTMzfhNZi/9F
        FQQkeAjvH1+22V5gh95w4bVLPrhc4dUDNnv3qhm6kF/CunwqxQzMuPd09LBHhJcz
        WKAa7yIL3QKBgQC6dO3DOgam43UVDn3uoxjQOXjjzzID3dnpWjF7s+ltZkQbeLEZ
        5O7IRROvF30BWT9PoPnI3R2dS98gZmrI6IWtx0aOVEMl1JcykAETnffqiuo4XgoY
        LRhsai3KL26abPxKpInEfV0BCgcor0uhOEHzN1s7Ls2iCvGjzOMeOHWIAQKBgAFJ
        ushHhQu0mmD/9UHJ1LpD1lHaGelZjIbmSNkl0EDro8gMcP6rGGCUaMDSjMwWgs9l
        mk1sREQheIVRcEliUmh7sqPnX94QG3LbgfFdxNbmOpZ9r7sjJYVEiseG6miBS7e/
        1oHxrEDPSeh/Ne7ato5vu9cm/871mgzLwd9EUdD1AoGBAMftHIB5ZsvNMEyh62X5
        nx+ctpyHMv1qptr1qW1eVVDvRy8x3FCe143oAuqjpwyS+rB2gNHGrTdxvBMl0C7t
        I91pzfEPSVfCX51uMbvpxfnCY+9a2PL0eX9riqemgEXxfjYXtaLCZV+q6w+NOjy6
        TJyNdajCBTCGt80OIEnO5Xcv
        -----END PRIVATE KEY-----
        """

    package static let p256 = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgEF8epv33v4/6ydPe
        3Gc8Rg1R47/lY0GKFB4Yo0KlRamhRANCAAQJGqQOhfXuWgtjAGzFB0U5uRt77kzn
        e/XvUct381eKQtSdJ8nQLZuWYK3ra+ZTsP5/diKmaDNfmousu6jo8+75
        -----END PRIVATE KEY-----
        """
}
