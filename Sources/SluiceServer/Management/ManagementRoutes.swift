internal import SluicePipeline
internal import SluicePolicy

/// Everything that the management API has.
enum ManagementRoutes {
    static func all(_ shared: Shared, _ desk: ControlDesk) -> [any ManagementRoute] {
        let history = HistoryDesk(shared.lasting)
        let routes: [any ManagementRoute] = [
            HistoryRoute(history), UsageRoute(history),
            ConfigRoute(desk),
            KeysRoute(desk, shared),
            UnitRoute(desk, "access.users", at: .users),
            UnitRoute(desk, "access.roles", at: .roles),
            UnitRoute(desk, "models", at: .models),
            UnitRoute(desk, "providers", at: .providers),
            UnitRoute(desk, "rate_limits", at: .rateLimits),
            UnitRoute(desk, "budgets", at: .budgets),
            AuditRoute(shared.lasting.audit),
        ]
        return routes + [OpenAPIRoute(shared.management, routes)]
    }
}
