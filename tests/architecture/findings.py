"""How the checks say what they found."""


def report(name, sound, findings):
    """Prints a line a finding and a last one; @return the exit status."""
    for finding in findings:
        print(finding)
    print(f"{name}: {len(findings)} finding(s)" if findings else f"{name}: {sound}")
    return 1 if findings else 0
