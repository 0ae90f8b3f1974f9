package enum PlaceholderSluiceTLS {}
