-- Whether a provider was told that a subscription stopped: the newest of the two notices about its funds is found at once.
create index notifications_of_funds on notifications (subscription_id, kind, created_at)
    where kind in ('subscription_deactivated', 'subscription_reactivated');
